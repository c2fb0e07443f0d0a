package io.bywash.engine.call;

import io.bywash.engine.BusException;
import io.bywash.engine.Entry;
import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.internal.layout.Numbers;
import io.bywash.engine.internal.linux.EngineLog;
import io.bywash.engine.internal.linux.EngineThread;
import io.bywash.engine.wait.WaitPolicy;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Threads that answer for an endpoint. Each worker has a {@link Responder} of its own, so that many requests can be
 * inside the handler at one time, and one that never returns holds up its own worker only.
 *
 * {@snippet :
 * Responder.Handler handler = request -> request.reply(answer(request.getLong(0)));
 * CallServer server = CallServer.start(segment.directory().find("prices", Kind.ENDPOINT), handler, 4);
 * // four threads answer, until
 * server.close();
 * }
 *
 * <p>A failure of the handler is the call's: its caller gets it. One for which nobody waits, since the request was one
 * way, is logged, and so is what no caller writes; the worker goes on. Any thread may call any method.
 */
public final class CallServer implements AutoCloseable {
  private static final int BATCH = 16;
  private static final long WAIT_NANOS = 1_000_000_000;

  private final Responder.Handler handler;
  private final List<Responder> responders = new ArrayList<>();
  private final List<Thread> workers = new ArrayList<>();
  private volatile boolean closed;

  private CallServer(Responder.Handler handler) {
    this.handler = handler;
  }

  /** As {@link #start(Entry, Responder.Handler, int, WaitPolicy)} with {@link WaitPolicy#BACKOFF}. */
  public static CallServer start(Entry entry, Responder.Handler handler, int workers) {
    return start(entry, handler, workers, WaitPolicy.BACKOFF);
  }

  /**
   * Takes responders' roles, and starts a thread for each. The threads are daemons.
   *
   * @param handler called by several threads at once
   * @param workers how many, at least 1
   * @param waitPolicy how each worker waits for requests
   * @throws IllegalArgumentException when {@code workers} is less than 1
   * @throws io.bywash.engine.TableFullException when there are not as many responders' roles free; none is taken then
   */
  public static CallServer start(Entry entry, Responder.Handler handler, int workers, WaitPolicy waitPolicy) {
    Objects.requireNonNull(handler, "handler");
    Numbers.checkPositive("workers", workers);
    CallServer server = new CallServer(handler);
    try {
      for (int i = 0; i < workers; i++) {
        Responder responder = Responder.open(entry, waitPolicy);
        server.responders.add(responder);
        Thread worker = EngineThread.unstarted("bywash-worker-" + entry.name() + "-" + i, () -> server.work(responder));
        worker.setContextClassLoader(handler.getClass().getClassLoader());
        server.workers.add(worker);
      }
      server.workers.forEach(Thread::start);
      return server;
    } catch (RuntimeException | Error failure) {
      server.close();
      throw failure;
    }
  }

  private void work(Responder responder) {
    try {
      while (!closed) {
        try {
          responder.poll(this::handle, BATCH, WAIT_NANOS);
        } catch (DamagedRequestException passed) {
          EngineLog.log(System.Logger.Level.WARNING, "A caller is at fault. The worker goes on.", passed);
        } catch (SegmentClosedException over) {
          return;
        } catch (BusException failure) {
          if (!closed) {
            EngineLog.log(System.Logger.Level.ERROR, "A worker of a call server has ended.", failure);
          }
          return;
        } catch (RuntimeException | Error failure) {
          EngineLog.log(System.Logger.Level.WARNING, "A handler failed. The worker goes on.", failure);
        }
      }
    } finally {
      responder.close();
    }
  }

  /** What the handler of a one-way request throws is nobody's, and must not be taken for the responder's. */
  private void handle(Request request) throws Exception {
    try {
      handler.onRequest(request);
    } catch (Exception failure) {
      if (!request.isOneWay()) {
        throw failure; // which its caller gets
      }
      EngineLog.log(System.Logger.Level.WARNING, "A handler failed. The worker goes on.", failure);
    } finally {
      Thread.interrupted(); // an interrupt that the handler left ends no worker
    }
  }

  /**
   * Waits until all workers have ended: the server or the segment was closed, or is damaged.
   *
   * @throws InterruptedException when this thread is interrupted
   */
  public void awaitEnd() throws InterruptedException {
    for (Thread worker : workers) {
      worker.join();
    }
  }

  /**
   * Ends the workers. A worker inside the handler ends when the handler returns, and its answer still counts; this does
   * not wait for it. Calling this again does nothing.
   */
  @Override
  public void close() {
    closed = true;
    for (int i = 0; i < responders.size(); i++) {
      responders.get(i).retire();
    }
  }
}
