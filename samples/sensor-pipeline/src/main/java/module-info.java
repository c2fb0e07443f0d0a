/** Readings of sensors flow through three processes; the second stands still for a while, and knows what it lost. */
module io.bywash.samples.sensorpipeline {
  requires io.bywash.samples.kit;
}
