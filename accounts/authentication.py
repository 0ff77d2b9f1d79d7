"""Who is calling the API."""
