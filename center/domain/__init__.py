"""Pure rules of the centre: incidents, hubs, records, needs, rates, times."""
