/* SPDX-License-Identifier: Apache-2.0 */
/* chatgate: a moderated real-time chat gateway. */
#include "gateway/cli.h"

int main(int argc, char **argv)
{
    return cli_main(argc, argv);
}
