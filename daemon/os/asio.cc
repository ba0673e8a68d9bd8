// Asio's own sources, compiled once for all.
#include <boost/asio/impl/src.hpp>
