/** An ordinary service of three processes with typed records, which may be stopped and started again. */
module io.bywash.samples.service {
  requires io.bywash.bus;
  requires io.bywash.samples.kit;
}
