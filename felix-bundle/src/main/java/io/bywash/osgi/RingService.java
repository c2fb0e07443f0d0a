package io.bywash.osgi;

import io.bywash.engine.ring.RingPopper;
import io.bywash.engine.ring.RingStatus;
import io.bywash.engine.ring.RingView;
import io.bywash.engine.ring.RingWriter;
import org.osgi.annotation.versioning.ProviderType;

/** A ring of elements. Its owner is the holder of the writer role or, if nobody holds that, its creator. */
@ProviderType
public interface RingService extends StructureService {
  @Override
  RingStatus status();

  /**
   * Takes the writer role. The caller closes it.
   *
   * @throws io.bywash.engine.BusException as {@link RingWriter#open}, or when the segment has gone
   */
  RingWriter writer();

  /**
   * Takes the popper role. The caller closes it.
   *
   * @throws io.bywash.engine.BusException as {@link RingPopper#open}, or when the segment has gone
   */
  RingPopper popper();

  /**
   * A look at the elements, which takes no role.
   *
   * @throws io.bywash.engine.BusException as {@link RingView#of}, or when the segment has gone
   */
  RingView view();
}
