/* check(): our own mistakes. It stays on in release builds and ends the process with one line, because a gateway that
 * goes on after a broken invariant may text a patient twice. What peers or the world do wrong never goes through here.
 */
#ifndef BASE_CHECK_H
#define BASE_CHECK_H

/* Writes "file:line: check failed: text" to stderr and aborts. */
_Noreturn void check_failed(const char *file, int line, const char *text);

#define check(condition) ((condition) ? (void)0 : check_failed(__FILE__, __LINE__, #condition))

#endif
