-- Run once by the postgres image, on an empty volume. `flagstone` owns the tables and migrates them,
-- `flagstone_web` only reads and writes rows. The superuser gets no password: it comes in by the
-- local socket alone (docker compose exec db psql -U postgres).
\getenv password POSTGRES_PASSWORD
CREATE ROLE flagstone LOGIN PASSWORD :'password';
CREATE ROLE flagstone_web LOGIN PASSWORD :'password';
CREATE DATABASE flagstone OWNER flagstone;
\connect flagstone
ALTER DEFAULT PRIVILEGES FOR ROLE flagstone
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO flagstone_web;
ALTER DEFAULT PRIVILEGES FOR ROLE flagstone GRANT USAGE ON SEQUENCES TO flagstone_web;
ALTER ROLE postgres PASSWORD NULL;
