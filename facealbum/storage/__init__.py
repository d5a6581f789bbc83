"""All SQL, the embedded database and the object stores."""
