/* What spatch doesn't parse, and would pass over the whole function for. */
#define scoped_guard(...) if (1)
#define kunit_warning_suppress(...) if (1)
#define __context_unsafe(...)
