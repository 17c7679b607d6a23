// The methods of the control socket, by name. The first is `methods`, which lists all of them.
//
// Not thread-safe; used by the main thread.
#pragma once

#include <boost/json/value.hpp>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "control/api/rpc/method.h"
#include "matchers/result.h"

namespace steer::ops {

// The client that a person wrote: a MAC address, or a name. Error: a sentence about the text.
using ClientFinder = std::function<Result<std::string>(std::string_view written, ClientAs as)>;

class Methods {
  public:
    Methods();
    Methods(const Methods&) = delete;
    Methods& operator=(const Methods&) = delete;

    // Aborts if the name is in use. A method with pages gets the parameter `cursor`; its members end
    // with kPageMember.
    void add(Method method);

    // Decides what names of clients in parameters mean. Without it, no name is known.
    void find_clients_by(ClientFinder finder) { finder_ = std::move(finder); }

    [[nodiscard]] const Method* find(std::string_view name) const;  // nullptr: none
    [[nodiscard]] std::string names() const;                        // "bypass, cache.dump, ..."

    // Checks the parameters and runs the method, which calls `done` at once or later. An exception
    // from the method becomes an internal_error with its text.
    void call(const Method& method, const boost::json::value& params, const RpcDone& done,
              const Caller& caller = {}) const;
    // The checked parameters, with addresses in place of names.
    [[nodiscard]] boost::system::result<Arguments, RpcError> arguments(
        const Method& method, const boost::json::value& params, const Caller& caller) const;

  private:
    // Error: there is no such client, or the caller may not know.
    [[nodiscard]] std::optional<RpcError> find_client(const Parameter& parameter,
                                                      boost::json::value& written,
                                                      const Caller& caller) const;

    ClientFinder finder_;
    std::map<std::string_view, Method> by_name_;
};

}  // namespace steer::ops
