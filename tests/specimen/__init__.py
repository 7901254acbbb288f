"""A resource of every field type that only the tests' app has, on app.services.shared.records."""
