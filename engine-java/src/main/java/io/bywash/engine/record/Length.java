package io.bywash.engine.record;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** How much room a component of a record has: the elements of an array, or the bytes of a string in UTF-8. */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.RECORD_COMPONENT, ElementType.PARAMETER}) // Kotlin annotates the constructor's parameter
public @interface Length {
  /** At least 1. */
  int value();
}
