package io.bywash.engine.call;

import io.bywash.engine.DamagedSegmentException;

/**
 * One caller of an endpoint has written what no caller writes. The {@link Responder} that throws this has passed that
 * by, and tells it once; the next use goes on with other requests.
 */
public final class DamagedRequestException extends DamagedSegmentException {
  private static final long serialVersionUID = 1L;

  DamagedRequestException(DamagedSegmentException damage) {
    super(damage.getMessage());
    initCause(damage);
  }
}
