"""Who is who: identifiers, fragments, and the map from fragments to profiles."""
