// A connection without an answer: it keeps what is sent.
#pragma once

#include <string>
#include <string_view>

#include "routeros/link.h"

namespace steer::fleet {

struct SilentLink final : routeros::RouterLink {
    void connect() override { ++connects; }
    void close() override {}
    void send(std::string_view bytes) override { sent += bytes; }
    int connects = 0;
    std::string sent;
};

}  // namespace steer::fleet
