// The declaration of one method of the control socket.
//
// A service declares each method as one Method and adds it to the daemon's Methods. The declaration
// is the only source for the check of parameters, roles, the audit, `methods`, `rpc.discover` and
// docs/reference/control-socket.md.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "control/api/rpc/piece.h"
#include "control/api/rpc/rpc_result.h"
#include "control/config/settings/role.h"

namespace steer::ops {

// The sender of a request: its role, its names for the audit and for limits, and the feed of its
// session.
class Feed;

struct Caller {
    AccessRole role = AccessRole::admin;
    std::string who = {};    // "uid 0, gid 0, pid 4711", "token grafana at 192.0.2.7"
    std::string name = {};   // as a person would write it: "anna", "token grafana"
    std::string owner = {};  // for limits, all its connections together: "uid 0", "token grafana"
    std::shared_ptr<Feed> feed = {};  // nullptr: this session cannot carry notifications
    std::uint64_t session = 0;        // of the page (login.h); 0: another user
};

enum class ParamType : std::uint8_t {
    text,
    domain_name,  // presentation form, as RFC 1035 5.1
    address,      // IPv4 or IPv6
    path,         // absolute: the daemon's working folder is not the client's
    flag,         // true or false
    number,       // whole, from `least` to `most`
    texts,        // a list of texts
    // A client. People may write its name (Methods::find_clients_by); the method gets:
    client,   // an address or a prefix
    device,   // the MAC address where a name has one; else what was written, or an address
    devices,  // a list of such
};

struct Parameter {
    std::string_view name;
    ParamType type;
    std::string_view meaning;  // one phrase, as in "the tag of an adlist; without it, all"
    bool is_required = false;
    std::uint64_t least = 0, most = std::numeric_limits<std::uint64_t>::max();
    std::string_view unit{};  // of a number: "s", "ms"
};

// Whether a request changes something, so that the audit logs it.
class Changes {
  public:
    static constexpr Changes nothing() { return Changes{false, {}}; }
    static constexpr Changes always() { return Changes{true, {}}; }
    // Only requests with this parameter change something.
    static constexpr Changes with(std::string_view parameter) { return Changes{true, parameter}; }

    [[nodiscard]] bool by(const boost::json::value& params) const;
    [[nodiscard]] bool any() const { return any_; }  // whether some requests do
    // false, true, or the name of the parameter.
    [[nodiscard]] boost::json::value to_json() const;

  private:
    constexpr Changes(bool any, std::string_view parameter) : any_(any), parameter_(parameter) {}
    bool any_;
    std::string_view parameter_;
};

// How a method wants the client that a person named.
enum class ClientAs : std::uint8_t { address, device };

// The checked parameters of a request: each is declared and has its type, and required ones are
// present.
class Arguments {
  public:
    // `checked`: an object.
    explicit Arguments(boost::json::value checked, Caller caller = {})
        : all_(std::move(checked)), caller_(std::move(caller)) {}

    [[nodiscard]] bool has(std::string_view name) const;
    [[nodiscard]] bool is_true(std::string_view name) const;  // false if missing
    // For text, domain_name, address, path, client and device.
    [[nodiscard]] std::optional<std::string> find_text(std::string_view name) const;
    [[nodiscard]] std::string text(std::string_view name) const;  // empty if missing
    [[nodiscard]] std::vector<std::string> texts(std::string_view name) const;
    [[nodiscard]] std::uint64_t number(std::string_view name, std::uint64_t otherwise) const;
    [[nodiscard]] const boost::json::value& json() const { return all_; }
    [[nodiscard]] const Caller& caller() const { return caller_; }

  private:
    boost::json::value all_;
    Caller caller_;
};

using AtOnce = std::function<RpcResult(const Arguments&)>;
using Later = std::function<void(const Arguments&, const RpcDone& done)>;

struct Method {
    std::string_view name;
    std::string_view help;  // one sentence
    Changes changes;
    Piece piece;  // the most that it answers in one piece
    // The role for requests that change something, or, if none does, for all. AccessRole::none:
    // `operate` and `read`. Other requests need `read`.
    AccessRole role = AccessRole::none;
    std::vector<Parameter> parameters{};
    std::variant<AtOnce, Later> run{};
    // The members of the result, an object: `applied kept?`. Some results lack those with `?`. A
    // test compares them with results (steerctl_commands_e2e.py).
    std::string_view members{};
    std::string_view result{};  // the content of the result, as one phrase
};

// The role for requests of this method that change something, or, if none does, for all.
AccessRole highest_role(const Method& method);
// The role for a request with these parameters.
AccessRole role_for(const Method& method, const boost::json::value& params);

// The error in these parameters; no value: accepted. `params`: an object, an array, or null.
std::optional<RpcError> check_params(const Method& method, const boost::json::value& params);

// {"name", "help", "changes", "role", "result", "members", "most_bytes", "most_rows", "parameters":
// [{"name", "type", "required", "meaning"}]}. `role` is the highest one. `most_rows`: 0 without pages.
boost::json::object describe(const Method& method);
// The same as a Method Object of OpenRPC 1.2, with roles and units as extensions.
boost::json::object openrpc_method(const Method& method);

}  // namespace steer::ops
