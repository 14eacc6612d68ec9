"""What checks have done on the reference service, however it is run: by operators' programs, its interface, its instances."""
