// The operator's interface: a UNIX socket that reads one line, answers with text and closes; and
// its client.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <memory>
#include <string>
#include <vector>

#include "tools/rossim/host.h"

namespace rossim {

using Hosts = std::vector<std::unique_ptr<Host>>;

class ControlServer {
  public:
    // Replaces a stale socket file. Throws std::runtime_error.
    ControlServer(boost::asio::io_context& io, std::string path, Hosts& hosts);
    ~ControlServer();

  private:
    void accept();

    boost::asio::local::stream_protocol::acceptor acceptor_;
    std::string path_;
    Hosts& hosts_;
};

// Executes "[@ROUTER] COMMAND ..." (control_commands.cpp has a row for each command). Throws
// std::runtime_error with a sentence.
std::string run_control_line(Hosts& hosts, const std::string& line);

// Sends the line and prints the answer. Returns the exit code.
int ask_control(const ControlRequest& request);

}  // namespace rossim
