// An HTTP request of any bytes (its target, a line end, its content type, a line end, its content): what is taken for a
// query is one, and freshness comes back for any response.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "control/streams/http/doh_answer.h"
#include "control/streams/http/doh_request.h"

using namespace steer::stream;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view all(reinterpret_cast<const char*>(data), size);
    const auto first = std::min(all.find('\n'), size);
    const auto second = std::min(all.find('\n', std::min(first + 1, size)), size);
    const auto begin = std::min(first + 1, second);
    const std::string type(all.substr(begin, second - begin));
    const std::vector<ServedPath> paths{{"/dns-query"}, {"/", true}};
    for (const HttpMethod method : {HttpMethod::get, HttpMethod::post, HttpMethod::other}) {
        const auto judged = judge_head(
            {.method = method, .target = std::string(all.substr(0, first)), .content_type = type},
            paths);
        const auto* query = std::get_if<HttpQuery>(&judged);
        if (query == nullptr) continue;
        if (query->path >= paths.size() || method == HttpMethod::other ||
            query->in_content != (method == HttpMethod::post))
            std::abort();
        if (!query->in_content && judge_message(query->message) != HttpStatus::ok) std::abort();
    }
    const auto content = std::min(second + 1, size);
    (void)freshness_s({data + content, size - content});
    return 0;
}
