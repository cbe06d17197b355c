"""Where the sample shop's customers live: names, towns and telephone numbers by country.

Numbers are from ranges that the countries keep for films and books; where there is none, people have no phone.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Country:
    """A country; `number` is the form of its phone numbers (# is a digit), empty for none."""

    code: str
    name: str
    weight: float
    locale: str
    timezone: str
    number: str
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    cities: tuple[tuple[str, str, str], ...]
    """Name, ISO code of the region, form of its postal codes."""
    streets: tuple[str, ...]

    def phone(self, rng: Random) -> str:
        """A number that belongs to nobody."""
        return "".join(rng.choice("0123456789") if c == "#" else c for c in self.number)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


COUNTRIES: tuple[Country, ...] = (
    Country(
        "IE", "Ireland", 0.40, "en-IE", "Europe/Dublin", "+35320911####",
        _words("Aoife Saoirse Niamh Ciara Róisín Sinéad Orla Emma Grace Sarah Maeve Clodagh Conor Cian Oisín Darragh"
               " Eoin Seán Patrick Liam Fionn Declan Brendan Tadhg Kate Áine Rory Hugh Nora Ronan"),
        _words("Murphy Kelly Byrne Ryan Doyle Walsh Nolan Kavanagh Quinn Daly Brennan Burke Moran Hayes Farrell"
               " Whelan Power Foley Maher Keane Sheehan Lynch Duffy Flynn Carroll Healy Tobin Devlin"),
        (("Dublin", "D", "D0# @#@#"), ("Cork", "CO", "T12 @##@"), ("Galway", "G", "H91 @#@#"),
         ("Limerick", "LK", "V94 @##@"), ("Kilkenny", "KK", "R95 @#@#"), ("Sligo", "SO", "F91 @##@"),
         ("Dublin", "D", "D1# @#@#"), ("Waterford", "WD", "X91 @##@")),
        ("{} Main Street", "{} Quay Road", "{} Chapel Lane", "{} Seafield Avenue", "{} Orchard Grove"),
    ),
    Country(
        "GB", "United Kingdom", 0.24, "en-GB", "Europe/London", "+447700900###",
        _words("Olivia Amelia Isla Freya Poppy Charlotte Alice Harriet Imogen Jack George Harry Oscar Arthur Theo"
               " Alfie Callum Priya Amara Zara Imran Kwame Rosie Martha Owen Rhys"),
        _words("Smith Taylor Davies Evans Thomas Roberts Hughes Wright Walker Green Hall Wood Clarke Patel Khan Shah"
               " Morgan Bennett Fraser Campbell Stewart Okafor Mensah Ellis Price"),
        (("London", "ENG", "E# #@@"), ("Manchester", "ENG", "M# #@@"), ("Bristol", "ENG", "BS# #@@"),
         ("Edinburgh", "SCT", "EH# #@@"), ("Cardiff", "WLS", "CF1# #@@"), ("Belfast", "NIR", "BT# #@@"),
         ("London", "ENG", "SW# #@@")),
        ("{} High Street", "{} Station Road", "{} Mill Lane", "{} Park View", "{} Church Close"),
    ),
    Country(
        "DE", "Germany", 0.11, "de-DE", "Europe/Berlin", "",
        _words("Anna Lena Johanna Marie Greta Ida Frieda Clara Jonas Lukas Felix Paul Emil Moritz Jürgen Sabine"
               " Katrin Ayşe Mehmet Thomas"),
        _words("Müller Schmidt Schneider Fischer Weber Wagner Becker Hoffmann Schäfer Koch Bauer Richter Wolf"
               " Neumann Schwarz Krüger Yılmaz Groß"),
        (("Berlin", "BE", "10###"), ("Hamburg", "HH", "20###"), ("München", "BY", "80###"),
         ("Köln", "NW", "50###"), ("Leipzig", "SN", "04###")),
        ("Lindenstraße {}", "Am Markt {}", "Gartenweg {}", "Bahnhofstraße {}"),
    ),
    Country(
        "FR", "France", 0.08, "fr-FR", "Europe/Paris", "+33639980###",
        _words("Camille Léa Manon Chloé Inès Jeanne Louise Élodie Hugo Louis Jules Gabriel Théo Antoine Mathis Nadia"),
        _words("Martin Bernard Dubois Petit Robert Richard Durand Leroy Moreau Girard Lefèvre Mercier Faure Rousseau"),
        (("Paris", "IDF", "750##"), ("Lyon", "ARA", "690##"), ("Nantes", "PDL", "440##"), ("Lille", "HDF", "590##")),
        ("{} rue des Lilas", "{} avenue de la Gare", "{} place du Marché"),
    ),
    Country(
        "NL", "Netherlands", 0.05, "nl-NL", "Europe/Amsterdam", "",
        _words("Sanne Fleur Lotte Femke Daan Bram Sem Thijs Joris Eva Maud Ruben"),
        ("de Vries", "van Dijk", "Bakker", "Visser", "Smit", "Meijer", "de Boer", "Mulder", "Bos", "Vos"),
        (("Amsterdam", "NH", "10## @@"), ("Utrecht", "UT", "35## @@"), ("Rotterdam", "ZH", "30## @@")),
        ("Kerkstraat {}", "Molenweg {}", "Dorpsplein {}"),
    ),
    Country(
        "ES", "Spain", 0.05, "es-ES", "Europe/Madrid", "",
        _words("Lucía Sofía Martina Paula Carmen Alba Mateo Hugo Pablo Álvaro Diego Íñigo"),
        ("García", "Fernández", "López", "Sánchez", "Romero", "Navarro", "Torres", "Domínguez", "Ibáñez", "Muñoz"),
        (("Madrid", "M", "280##"), ("Barcelona", "B", "080##"), ("Valencia", "V", "460##")),
        ("Calle Mayor {}", "Calle del Prado {}", "Avenida del Mar {}"),
    ),
    Country(
        "US", "United States", 0.07, "en-US", "America/New_York", "+12##55501##",
        _words("Emily Madison Abigail Hannah Tyler Ethan Logan Mason Jasmine Maria Aaliyah Kevin Megan Grace"),
        _words("Johnson Williams Brown Garcia Miller Davis Rodriguez Wilson Anderson Nguyen Thompson Lee Harris"),
        (("New York", "NY", "100##"), ("Boston", "MA", "021##"), ("Austin", "TX", "787##"),
         ("Portland", "OR", "972##")),
        ("{} Maple Avenue", "{} Elm Street", "{} Lakeview Drive"),
    ),
)  # fmt: skip
