/* Arbitrary octets and ticks, both roles: the octets are decisions of tests/unit/smpp_drive.h, raw octets among them.
 * */
#include "../unit/smpp_drive.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct drive d;
	drive_run(&d, view_of(data, size));
	return 0;
}
