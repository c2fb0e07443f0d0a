package io.bywash.osgi;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.osgi.annotation.bundle.Requirement;

/**
 * Makes the bundle of the annotated type or package require this bundle. Put it, for example, on a class that registers
 * a {@link QueueListener}.
 */
@Retention(RetentionPolicy.CLASS)
@Target({ElementType.TYPE, ElementType.PACKAGE})
@Requirement(namespace = "osgi.implementation", name = BywashConstants.IMPLEMENTATION_NAME,
    version = BywashConstants.IMPLEMENTATION_VERSION)
public @interface RequireBywash {}
