<?php
$count = array_count_values(array_slice($argv, 1));
ksort($count);
foreach ($count as $word => $n) {
    echo "$word $n\n";
}
