// One API session that blocks: for commands that a person starts and waits for.
//
// At most 10 s for each step (connection, login, a reply). A step returns why it failed; empty: it succeeded.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "routeros/session.h"
#include "routeros/transport.h"

namespace steer::routeros {

class Client {
  public:
    struct Reply {
        Ending ending;
        std::vector<Properties> rows;
    };

    Client();
    ~Client();

    // Connects and logs in. Call it once.
    [[nodiscard]] std::string open(const TransportConfig& to, const std::string& user,
                                   const std::string& password);
    // Our address of the connection, as text; empty: it is not open.
    [[nodiscard]] std::string local_address() const;
    // Sends a command and stores the router's reply, which may be a refusal.
    [[nodiscard]] std::string ask(const Command& command, Reply& reply);

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace steer::routeros
