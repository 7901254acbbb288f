"""Programs for whoever develops the service. None of it is needed where the service runs."""
