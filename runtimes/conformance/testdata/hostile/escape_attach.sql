-- Read a host file through a link, as a database.
--
-- status: error
-- exit: 1
-- stderr has: "unable to open database"
attach '/app/link_absolute' as a;
select * from a.sqlite_master;
