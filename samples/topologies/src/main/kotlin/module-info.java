/** Three topologies, each declared in one file, and programs that run and check them. */
module io.bywash.samples.topologies {
  requires io.bywash.bus;
  requires io.bywash.samples.kit;
}
