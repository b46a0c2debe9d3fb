/* SPDX-License-Identifier: Apache-2.0 */
/* Command line: one secret from standard input; never from argv, never echoed. */

/* While the echo is off, signals that would end or stop the program are held back: it must not
 * leave a terminal behind that shows nothing. They come when the line has been read. */
#include "gateway/cli_secret.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "protocol/xalloc.h"

char *cli_secret_free(char *secret)
{
    if (secret != NULL)
        explicit_bzero(secret, strlen(secret));
    free(secret);
    return NULL;
}

/* Unbuffered, so that what follows the line stays in a pipe and the secret stays out of stdio's
 * buffer. */
static char *read_line(size_t max)
{
    char *line = xcalloc(1, max + 2);
    size_t length = 0;
    for (; length <= max; length++) {
        ssize_t n = read(STDIN_FILENO, &line[length], 1);
        if (n < 0 || (n == 0 && length == 0))
            break;
        if (n == 0 || line[length] == '\n') {
            line[length] = '\0';
            if (length > 0 && line[length - 1] == '\r')
                line[--length] = '\0';
            return strlen(line) == length ? line : cli_secret_free(line);
        }
    }
    explicit_bzero(line, length);
    free(line);
    return NULL;
}

static char *read_without_echo(const char *prompt, const struct termios *before, size_t max)
{
    sigset_t held, previous;
    sigemptyset(&held);
    sigaddset(&held, SIGINT);
    sigaddset(&held, SIGQUIT);
    sigaddset(&held, SIGTERM);
    sigaddset(&held, SIGTSTP);
    sigaddset(&held, SIGHUP);
    sigprocmask(SIG_BLOCK, &held, &previous);

    struct termios silent = *before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent); /* before the prompt: it drops what was typed */
    fputs(prompt, stderr);
    char *line = read_line(max);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, before);
    fputc('\n', stderr);
    sigprocmask(SIG_SETMASK, &previous, NULL);
    return line;
}

char *cli_secret_read(const char *prompt, size_t max)
{
    struct termios before;
    if (tcgetattr(STDIN_FILENO, &before) != 0)
        return read_line(max);
    return read_without_echo(prompt, &before, max);
}
