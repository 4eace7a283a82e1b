# A backfill under fire, with figures.
.PHONY: backfill-drill
backfill-drill: ITEMS = 200000
backfill-drill: set-up ## Backfill ITEMS items while 5 % of them change, kill it twice, go on, and verify; SEED=n repeats it
	@$(VENV)/python -m local_aws.drill --items $(ITEMS) --cache $(CACHE) $(if $(SEED),--seed $(SEED))
