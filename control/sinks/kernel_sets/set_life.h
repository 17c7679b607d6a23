// One run of the process: its socket and its end, watched by the io_context of thread `routers`.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "control/sinks/kernel_sets/set_process.h"
#include "control/sinks/set_process/sequenced_socket.h"
#include "matchers/result.h"

namespace steer::kernel_sets {

// Members are destroyed in this order: the socket closes before the wait for the process.
struct SetLife {
    // Opens its own descriptors; if that fails, kills the process.
    static Result<std::shared_ptr<SetLife>> begin(boost::asio::io_context& io, StartedSets started);
    SetLife(boost::asio::io_context& io, StartedSets started);

    // Ends the process, if it still runs: `end` becomes readable.
    void give_up(const std::string& reason);
    [[nodiscard]] std::chrono::milliseconds lived() const;

    SetProcess process;
    boost::asio::posix::stream_descriptor readable, writable, end;
    boost::asio::steady_timer silence;
    sets::SequencedSocket socket;
    std::chrono::steady_clock::time_point since = std::chrono::steady_clock::now();
    std::chrono::steady_clock::time_point last_message = since;  // the last message
    bool waits_for_room = false;
    bool has_claims = false;   // claims were sent to it
    bool is_unneeded = false;  // there are no more sets
    std::string why;           // why we ended it; empty: it ended itself
};

}  // namespace steer::kernel_sets
