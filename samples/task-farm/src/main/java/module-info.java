/** One process hands out tasks, others work on them; one that is killed in the middle of a task loses none. */
module io.bywash.samples.taskfarm {
  requires io.bywash.samples.kit;
}
