#include "app_commands.h"
const char demo_help[] = "";
int command_demo(int argc, char **argv) { (void)argc; (void)argv; return 1; }
int command_receiver(int argc, char **argv) { (void)argc; (void)argv; return 1; }
