// An account without a limit, for what is charged outside of a connection (memory_account.h).
#pragma once

#include <cstdint>
#include <memory>

#include "control/streams/quic/memory_account.h"

namespace steer::quic {

struct QuicAccount {
    ThreadMemory memory{std::make_shared<ProcessMemory>(UINT64_MAX, 0)};
    Account account{memory, SIZE_MAX};
};

}  // namespace steer::quic
