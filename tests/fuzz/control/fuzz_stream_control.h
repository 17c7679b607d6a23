// The connection below the streams of a fuzz input: counts what was consumed.
#pragma once

#include <cstdint>
#include <optional>

#include "control/streams/quic/client_streams.h"
#include "support/quic_account.h"

namespace steer::fuzz {

class CountedControl final : public quic::ServerControl {
  public:
    void consumed(std::uint64_t bytes) override { consumed_bytes += bytes; }
    void consumed_of(quic::StreamId, std::uint64_t) override {}
    void reset(quic::StreamId, std::uint64_t) override {}
    void stop_reading(quic::StreamId, std::uint64_t) override {}
    // Those of a server: 3, 7, 11.
    std::optional<quic::StreamId> open_uni_stream() override { return next_ += 4; }
    std::uint64_t now_ms() override { return now++; }
    void count(quic::QuicCount) override {}
    quic::Account& account() override { return memory.account; }

    std::uint64_t consumed_bytes = 0, now = 1;
    quic::QuicAccount memory;

  private:
    quic::StreamId next_ = -1;
};

}  // namespace steer::fuzz
