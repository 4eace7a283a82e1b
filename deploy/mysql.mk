# The loader's tests on a real MySQL, which is what Aurora is made of; `make test` runs them on whatever server is here.
export MYSQLD ?=

.PHONY: test-mysql
test-mysql: set-up ## Run the loader's, the database's and rebuild's tests on MySQL: on MYSQLD, or on one out of Debian's packages
	@mysqld=$${MYSQLD:-$$(deploy/local/offline-images/fetch-mysql.sh)} && \
		$(PYTEST) --database-binary="$$mysqld" tests/integration/aurora_loader tests/integration/database \
		tests/integration/rebuilding
