/** Watches the processes of another sample: which ones work, hang, or are dead. */
module io.bywash.samples.monitor {
  requires io.bywash.samples.kit;
}
