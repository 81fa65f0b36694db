with recursive n(i) as (select 2 union all select i + 1 from n where i < 30)
select group_concat(i, ' ') from n
where not exists (select 1 from n as d where d.i < n.i and n.i % d.i = 0);
