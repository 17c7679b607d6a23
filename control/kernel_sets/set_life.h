// One life of the process: its socket and its end, as the io_context of thread `routers` watches them.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "control/kernel_sets/set_process.h"
#include "control/sets/sequenced_socket.h"
#include "matchers/result.h"

namespace steer::kernel_sets {

// What is destroyed first is last here: the process sees its socket closed before it is waited for.
struct SetLife {
    // Takes descriptors of its own; where there are none the process is killed.
    static Result<std::shared_ptr<SetLife>> begin(boost::asio::io_context& io, StartedSets started);
    SetLife(boost::asio::io_context& io, StartedSets started);

    // Ends it, if it has not ended: `end` becomes readable.
    void give_up(const std::string& reason);
    [[nodiscard]] std::chrono::milliseconds lived() const;

    SetProcess process;
    boost::asio::posix::stream_descriptor readable, writable, end;
    boost::asio::steady_timer silence;
    sets::SequencedSocket socket;
    std::chrono::steady_clock::time_point since = std::chrono::steady_clock::now();
    std::chrono::steady_clock::time_point heard = since;  // the last message
    bool waits_for_room = false;
    bool has_claims = false;   // it was sent some
    bool is_unneeded = false;  // there are no sets any more
    std::string why;           // we ended it; empty: it ended by itself
};

}  // namespace steer::kernel_sets
