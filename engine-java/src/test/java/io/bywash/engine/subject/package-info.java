/**
 * What the suites that go through all kinds of structures know of each: {@link io.bywash.engine.subject.Subject} says
 * what a kind provides, and {@link io.bywash.engine.subject.Subjects} lists the kinds. The suites name none of them.
 */
package io.bywash.engine.subject;
