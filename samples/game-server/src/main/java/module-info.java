/** A game whose whole state lies in one segment, and three processes that share it. */
module io.bywash.samples.gameserver {
  requires io.bywash.samples.kit;
}
