module bywash/guest

go 1.19
