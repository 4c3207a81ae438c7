#include <stdio.h>

int main(void)
{
    puts("surfboard " SURFBOARD_VERSION);
    return 0;
}
