// The methods of the control socket, by name. The first is `methods`, which lists all of them.
//
// Not thread-safe; used by the main thread.
#pragma once

#include <boost/json/value.hpp>
#include <map>
#include <string>
#include <string_view>

#include "control/api/rpc/method.h"

namespace steer::ops {

class Methods {
  public:
    Methods();
    Methods(const Methods&) = delete;
    Methods& operator=(const Methods&) = delete;

    // Aborts if the name is in use.
    void add(Method method);

    [[nodiscard]] const Method* find(std::string_view name) const;  // nullptr: none
    [[nodiscard]] std::string names() const;                        // "bypass, cache.dump, ..."

    // Checks the parameters and runs the method, which calls `done` at once or later. An exception
    // from the method becomes an internal_error with its text.
    static void call(const Method& method, const boost::json::value& params, const RpcDone& done,
                     const Caller& caller = {});

  private:
    std::map<std::string_view, Method> by_name_;
};

}  // namespace steer::ops
