"""Files in: opened as a stream, read row by row, put into the inbox, resumable at any row."""
