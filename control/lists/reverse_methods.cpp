#include "control/lists/reverse_methods.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <utility>

#include "dataplane/dns/name.h"

namespace steer {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

ops::RpcResult names_of(const Snapshot& snapshot, const value& params, Now now) {
    const auto* const text = ops::param(params, "address");
    const auto address =
        text != nullptr && text->is_string() ? IpAddress::parse(text->get_string()) : std::nullopt;
    if (!address) {
        return ops::bad_params("write an IP address, as in {\"address\": \"192.0.2.1\"}");
    }
    if (snapshot.reverse.empty()) {
        return ops::RpcError{ops::RpcCode::internal_error,
                             "the configuration has no reverse_lookup that queries come to"};
    }
    array names;
    for (const ReverseLookup& one : snapshot.reverse) {
        ReverseTable::Name name;
        const std::size_t length = one.table->find(*address, now.s(), name);
        if (length == 0) continue;
        names.push_back(
            object{{"plugin", one.tag}, {"name", dns::name_to_text({name.data(), length})}});
    }
    return value(object{{"address", address->to_string()}, {"names", std::move(names)}});
}

}  // namespace

void add_reverse_method(ops::JsonRpc& rpc, std::function<const Snapshot&()> snapshot,
                        Clock& clock) {
    rpc.add("reverse",
            [snapshot = std::move(snapshot), &clock](const value& params) -> ops::RpcResult {
                return names_of(snapshot(), params, clock.now());
            });
}

}  // namespace steer
