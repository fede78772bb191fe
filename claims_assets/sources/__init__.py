"""Landing files and the provider database, each read once into a stage of text (Delta schema `landing`)."""
