package io.bywash.engine.queue;

import static io.bywash.engine.queue.QueueLayout.MODE_CONSUMER;

import io.bywash.engine.TableFullException;
import io.bywash.engine.internal.role.Role;
import io.bywash.engine.internal.role.RoleHandle;
import java.util.function.Function;

/** A role of a queue that was just taken. It is not active yet; what its last holder left half-done is repaired. */
record Place(RoleHandle handle, Exchanger exchanger) {
  /**
   * Takes a role that holds no message. A consumer gets a role that holds one if there is no other.
   *
   * @throws TableFullException when there is no such role
   */
  static Place take(Cells cells, int mode) {
    for (int index = 0; index < cells.roleCount; index++) {
      Place place = cells.mayHold(index) ? null : tryTake(cells, index, mode);
      if (place != null && !place.exchanger.isHeld()) {
        return place;
      }
      if (place != null) { // it has come to hold a message meanwhile
        place.giveBack();
      }
    }
    for (int index = 0; index < cells.roleCount && mode == MODE_CONSUMER; index++) {
      Place place = tryTake(cells, index, mode);
      if (place != null) {
        return place;
      }
    }
    throw new TableFullException("Entry \"" + cells.entry.name() + "\" of segment " + cells.entry.core().path()
        + " has all its " + cells.roleCount + " roles taken, or holding messages that nobody has acknowledged. Close"
        + " one, or create it with more roles.");
  }

  /** Takes a role; null when a living participant holds it. */
  static Place tryTake(Cells cells, int index, int mode) {
    RoleHandle handle = RoleHandle.tryTake(cells.entry, index, mode);
    if (handle == null) {
      return null;
    }
    try {
      return new Place(handle, new Exchanger(cells, handle));
    } catch (RuntimeException | Error failure) {
      close(handle);
      throw failure;
    }
  }

  /** Makes the role's user, and activates the role. */
  <R extends Role> R opened(Function<Place, R> user) {
    return handle.opened(this, user);
  }

  void giveBack() {
    close(handle);
  }

  private static void close(RoleHandle handle) {
    handle.close();
    handle.exit();
  }
}
