// The operator's side: a UNIX socket that takes one line and answers with text, then closes; and
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
    // A stale socket file is replaced. Throws std::runtime_error.
    ControlServer(boost::asio::io_context& io, std::string path, Hosts& hosts);
    ~ControlServer();

  private:
    void accept();

    boost::asio::local::stream_protocol::acceptor acceptor_;
    std::string path_;
    Hosts& hosts_;
};

// Carries out "[@ROUTER] COMMAND ..."; throws std::runtime_error with a sentence. (control_commands.cpp: a table has a row for
// each command.)
std::string run_control_line(Hosts& hosts, const std::string& line);

// Sends the line and prints the answer; the exit code.
int ask_control(const ControlRequest& request);

}  // namespace rossim
