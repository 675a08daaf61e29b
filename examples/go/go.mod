module example.org/lvs

go 1.18
