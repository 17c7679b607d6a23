// One command to the control socket of an engine: a connection that is made, asked and read to its
// end. Main thread; nothing here waits.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <string>

namespace steer::recursion {

inline constexpr std::size_t kMostAnswer = 1 << 20;  // bytes

inline constexpr std::chrono::seconds kCallPatience{10};  // of a command that an operator waits for

// `done` is called once, later: with the answer, or without one (no connection, too late, or too
// much).
void call_engine(boost::asio::io_context& io, const std::string& socket, std::string command,
                 std::chrono::milliseconds patience,
                 std::function<void(std::optional<std::string> answer)> done);

}  // namespace steer::recursion
