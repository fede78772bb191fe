"""What is deployed to Databricks, held against the graph it runs and the types of Databricks' own SDK."""
