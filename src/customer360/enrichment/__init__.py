"""What is computed about people from the crowd: scores, probabilities and predictions. Arrays in, arrays out."""
