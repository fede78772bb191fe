"""Medicaid managed-care claims as a Dagster asset graph.

The flow, folder by folder (each is a Dagster group; `layers.py` holds the same list):

    sources      landing files and the provider database, parsed once into a stage     landing.*
    bronze       typed rows exactly as they came                                       bronze.*
    silver       final-action claims, members, member months, doses                    silver.*
    features     what was known of a member at the end of a month                      gold.*
    models       risk models, trained on the past only, registered in MLflow           models/*
    predictions  scores by member and month                                            gold.*
    outreach     whom to call about a vaccine, and why                                 gold.*
    monitoring   what the contracts found, by table and month                          monitoring.*

`definitions.py` walks these folders: a new table is one new file. This module imports nothing.
"""
